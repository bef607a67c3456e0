import { redact } from "../../telemetry/redact.ts";
import type { ActionRequest, AskedBy } from "../actions/action.ts";
import type { SuspendRequest, SyncRequest } from "../actions/actions.ts";
import type { ApproveRequest } from "../actions/approve.ts";
import type { RebuildRequest } from "../actions/rebuild.ts";
import type { RollbackRequest } from "../actions/rollback.ts";
import { type ApiRequest, fieldsOf, instantOf } from "./api-request.ts";

/** A request to act, by somebody who is known. */
export interface Asked extends AskedBy {
  /** Of the application or cluster in the path. */
  readonly name: string;
  readonly request: ApiRequest;
}

export function syncRequest(asked: Asked): SyncRequest {
  return { ...subject(asked), force: fieldsOf(asked.request, ["force"]).flag("force") };
}

export function approveRequest(asked: Asked): ApproveRequest {
  const fields = fieldsOf(asked.request, ["hash", "force"]);
  return { ...subject(asked), hash: fields.text("hash"), force: fields.flag("force") };
}

/** Who asks is the owner unless another is named. */
export function suspendRequest(asked: Asked): SuspendRequest {
  const fields = fieldsOf(asked.request, ["reason", "owner", "until"]);
  const until = fields.optionalText("until");
  return {
    ...subject(asked),
    reason: redact(fields.text("reason")),
    owner: fields.optionalText("owner") || asked.by,
    until: until === "" ? "" : instantOf("until", until),
  };
}

export function resumeRequest(asked: Asked): ActionRequest {
  fieldsOf(asked.request, []);
  return subject(asked);
}

export function rollbackRequest(asked: Asked): RollbackRequest {
  const fields = fieldsOf(asked.request, ["revision", "reason"]);
  const revision = fields.optionalText("revision");
  return { ...subject(asked), ...(revision === "" ? {} : { revision }), reason: redact(fields.optionalText("reason")) };
}

export function rebuildRequest({ name: cluster, request, by, correlationId }: Asked): RebuildRequest {
  fieldsOf(request, []);
  return { cluster, by, correlationId };
}

function subject({ name: application, by, correlationId }: Asked): ActionRequest {
  return { application, by, correlationId };
}
