/** The one table as data: local mode creates it from this, and the deployed table must say the same. */
export const tableDefinition = {
  AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" },
    { AttributeName: "sk", AttributeType: "S" },
    { AttributeName: "timeline", AttributeType: "S" },
    { AttributeName: "time", AttributeType: "S" },
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
  ],
  BillingMode: "PAY_PER_REQUEST",
} as const;

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
