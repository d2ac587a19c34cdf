// Parses one AsyncAPI document and prints what the public parser says about it, one diagnostic a line; exit 1 on errors.

import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const LEVELS = ["error", "warning", "information", "hint"];

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
for (const found of diagnostics) {
  const line = found.range.start.line + 1;
  console.log(`${LEVELS[found.severity]} ${found.code} line ${line} ${found.path.join(".")}: ${found.message}`);
}
if (document) {
  const [channels, operations, messages] = [document.channels(), document.operations(), document.allMessages()];
  console.log(`${channels.all().length} channels, ${operations.all().length} operations, ${messages.all().length} messages`);
}
process.exit(document && diagnostics.every((found) => found.severity !== 0) ? 0 : 1);
