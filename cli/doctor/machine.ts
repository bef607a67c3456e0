import { type Check, checkOf } from "../../lib/model/check.ts";
import { allowedSkewMs } from "../aws/signed-request.ts";

/** The version that Lambda runs. */
const lambdaMajor = 24;

export function nodeCheck(version: string): Check {
  const check = checkOf("node");
  const major = Number(/^v?(\d+)/.exec(version)?.[1]);
  if (major < lambdaMajor)
    return check.fail(`${version} is older than ${lambdaMajor}`, "run npm install here: it brings a pinned Node 24");
  return check.ok(`${version}; the functions run on nodejs${lambdaMajor}.x`);
}

/** `ahead` is in milliseconds; undefined where AWS told no time. */
export function clockCheck(ahead: number | undefined): Check {
  const check = checkOf("clock");
  if (ahead === undefined) return check.skipped("AWS told no time");
  const seconds = Math.round(Math.abs(ahead) / 1000);
  if (Math.abs(ahead) <= allowedSkewMs / 5) return check.ok(`within ${Math.max(1, seconds)} s of AWS`);
  const text = `this machine is ${seconds} s ${ahead > 0 ? "behind" : "ahead of"} AWS`;
  const advice = "set its clock by NTP: AWS refuses signatures that are off by more than 5 minutes";
  return Math.abs(ahead) > allowedSkewMs ? check.fail(text, advice) : check.warn(text, advice);
}
