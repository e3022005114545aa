import { DEFINITION_KINDS, type DefinitionKind, jsonSchema } from '@linli/rules'
import { Argument, Command } from 'commander'
import { printJson } from './output.js'

export function schemaCommand(): Command {
  return new Command('schema')
    .description('Print the JSON Schema of rules, for editors.')
    .addArgument(
      new Argument('[kind]', 'one kind of object; a whole rule file when left out').choices([...DEFINITION_KINDS]),
    )
    .action((kind: DefinitionKind | undefined) => printJson(jsonSchema(kind)))
}
