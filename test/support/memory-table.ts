export { createMemoryTable, startMemoryTable } from "../../cli/local/memory-table.ts";
