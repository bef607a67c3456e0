import type { Check } from "../../lib/model/check.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../lib/model/json.ts";
import { type AwsCalls, textOf } from "../aws/calls.ts";
import { checked } from "./checked.ts";

export async function tableChecks(aws: AwsCalls, table: string): Promise<readonly Check[]> {
  const asked = { TableName: table };
  const again = "deploy again: infra/table.yml states it";
  const parts = [
    checked("table", {
      needs: "dynamodb:DescribeTable",
      async look(check) {
        const found = part(await aws.json("dynamodb", "DescribeTable", asked), "Table");
        const status = textOf(found["TableStatus"]);
        if (status !== "ACTIVE")
          return check.fail(`${table} is ${status || "not there"}`, "wait for it, or restore it from its backup");
        const sse = part(found, "SSEDescription")["Status"];
        if (sse !== "ENABLED") return check.warn(`${table} is encrypted by a key of AWS alone`, again);
        if (found["DeletionProtectionEnabled"] !== true) return check.warn(`${table} can be deleted by one call`, again);
        return check.ok(`${table} is ACTIVE, encrypted by KMS, protected against deletion`);
      },
    }),
    checked("table: backup", {
      needs: "dynamodb:DescribeContinuousBackups",
      async look(check) {
        const described = part(await aws.json("dynamodb", "DescribeContinuousBackups", asked), "ContinuousBackupsDescription");
        const status = part(described, "PointInTimeRecoveryDescription")["PointInTimeRecoveryStatus"];
        if (status !== "ENABLED") return check.warn("point-in-time recovery is off", again);
        return check.ok("any second of the last 35 days can be restored");
      },
    }),
    checked("table: expiry", {
      needs: "dynamodb:DescribeTimeToLive",
      async look(check) {
        const { AttributeName: name, TimeToLiveStatus: status } = part(
          await aws.json("dynamodb", "DescribeTimeToLive", asked),
          "TimeToLiveDescription",
        );
        if (status !== "ENABLED" && status !== "ENABLING") return check.warn("old rows never expire, and are paid for", again);
        if (name !== "expiresAt") return check.fail(`rows expire by ${textOf(name) || "nothing"} in place of expiresAt`, again);
        return check.ok("old rows expire");
      },
    }),
  ];
  return (await Promise.all(parts)).flat();
}

function part(value: JsonObject, name: string): JsonObject {
  const inner: JsonValue | undefined = value[name];
  return isJsonObject(inner) ? inner : {};
}
