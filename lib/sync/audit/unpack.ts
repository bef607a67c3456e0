import { promisify } from "node:util";
import { gunzip } from "node:zlib";

const unzip = promisify(gunzip);
/** A batch is at most 1 MB packed; what unpacks to more than this is no log. */
const mostBytes = 128 * 1024 * 1024;

/** What CloudWatch Logs calls a function with. */
export interface LogEvent {
  readonly awslogs?: {
    /** JSON, gzipped, in base64. */
    readonly data?: string;
  };
}

/** The JSON inside; undefined where there is none. */
export async function unpackLogEvent({ awslogs }: LogEvent): Promise<string | undefined> {
  if (typeof awslogs?.data !== "string") return undefined;
  try {
    return (await unzip(Buffer.from(awslogs.data, "base64"), { maxOutputLength: mostBytes })).toString("utf8");
  } catch {
    return undefined;
  }
}
