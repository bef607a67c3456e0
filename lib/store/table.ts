/** What drift rows can be asked for by, beside their application: each is the name of an index and of the attribute that it hashes. */
export const driftIndexes = ["driftShard", "driftCluster", "driftNamespace", "driftKind", "driftManager"] as const;

export type DriftIndex = (typeof driftIndexes)[number];

/** What rows of an index are told apart by, so that most of those that are not wanted are never read. */
const driftFacts = ["driftCluster", "driftNamespace", "driftKind", "driftGroup", "driftManager", "closedAt"] as const;

/** The one table as data: local mode creates it from this, and the deployed table must say the same. */
export const tableDefinition = {
  AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" },
    { AttributeName: "sk", AttributeType: "S" },
    { AttributeName: "timeline", AttributeType: "S" },
    { AttributeName: "time", AttributeType: "S" },
    ...driftIndexes.map((name) => ({ AttributeName: name, AttributeType: "S" }) as const),
    { AttributeName: "driftTime", AttributeType: "S" },
  ],
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: "timeline",
      KeySchema: [
        { AttributeName: "timeline", KeyType: "HASH" },
        { AttributeName: "time", KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "ALL" },
    },
    ...driftIndexes.map((name) => driftIndex(name)),
  ],
  BillingMode: "PAY_PER_REQUEST",
} as const;

/** Without the row itself: a row that each sweep writes again costs nothing here, until it is healed. */
function driftIndex(name: DriftIndex) {
  return {
    IndexName: name,
    KeySchema: [
      { AttributeName: name, KeyType: "HASH" },
      { AttributeName: "driftTime", KeyType: "RANGE" },
    ],
    Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: driftFacts.filter((fact) => fact !== name) },
  } as const;
}

/** The attribute by which DynamoDB deletes old rows: epoch seconds. */
export const expiryAttribute = "expiresAt";

/** Days that rows stay. A list leaves out older ones at once; DynamoDB deletes them within days after. */
export const retentionDays = {
  deliveries: 7,
  syncs: 90,
  healedDrift: 90,
  sweeps: 30,
  renders: 30,
  removedInventories: 90,
} as const;
