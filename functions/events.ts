import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createSignedPost } from "../lib/aws/signed-post.ts";
import type { Environment } from "../lib/config/environment.ts";
import { createEventBridge } from "../lib/events/eventbridge.ts";
import type { EventBus } from "../lib/events/events.ts";
import { systemClock as clock } from "../lib/telemetry/clock.ts";
import type { Log } from "../lib/telemetry/log.ts";

/** The event bus, with the credentials that every client of AWS finds. */
export function openEvents(env: Environment, { log }: { readonly log: Log }): EventBus {
  const { region, eventsEndpoint: endpoint, eventBus: bus } = env;
  const { credentials } = new SecretsManagerClient({ region }).config;
  const post = createSignedPost({ endpoint, region, service: "events", credentials, clock, timeoutMs: 5000 });
  return createEventBridge({ post, bus, log });
}
