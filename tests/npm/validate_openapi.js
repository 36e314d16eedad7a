// Holds an OpenAPI document against the specification's own JSON schema.
// usage: node validate_openapi.js FILE
import { Validator } from "@seriousme/openapi-schema-validator";

const [file] = process.argv.slice(2);
const validator = new Validator();
const outcome = await validator.validate(file);
if (!outcome.valid) {
  console.error(JSON.stringify(outcome.errors, null, 2));
  process.exit(1);
}
if (validator.version !== "3.1") {
  console.error(`wanted OpenAPI 3.1, this is ${validator.version}`);
  process.exit(1);
}
console.log(`${file} is OpenAPI ${validator.version}`);
