import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Command } from 'commander'
import type { Receipt, ReceiptReport, ReceiptResult } from '../receipts/receipt.js'
import { type ReceivingOptions, receive } from '../receipts/receive.js'
import { databaseOption, withStore } from './database.js'
import { print, printJson } from './output.js'
import { table } from './table.js'

/** How many receipts are taken in together. */
const BATCH = 500

interface ReceiveFlags {
  readonly db: string
  readonly file?: string
  readonly json?: true
}

/** What the command says: of each line that was refused, which and why. */
interface FileReport extends Omit<ReceiptReport, 'results'> {
  readonly refused: readonly (Extract<ReceiptResult, { status: 'rejected' }> & { readonly line: number })[]
}

/** `linli receive`. */
export function receiveCommand(): Command {
  return new Command('receive')
    .description(
      'Take in what providers say of messages later: delivered, opened, clicked, failed, confirmed, declined.',
    )
    .addOption(databaseOption())
    .option('--file <file>', 'receipts, one JSON object a line; from stdin when left out')
    .option('--json', 'print one JSON document')
    .action(async ({ db, file, json }: ReceiveFlags) => {
      const input = file === undefined ? process.stdin : createReadStream(file)
      const report = await withStore(db, (parts) => receiveLines(input, parts))
      if (json) printJson(report)
      else print(reportText(report))
      if (report.rejected > 0) process.exitCode = 1
    })
}

async function receiveLines(input: NodeJS.ReadableStream, parts: ReceivingOptions): Promise<FileReport> {
  let [accepted, duplicates, number] = [0, 0, 0]
  const refused: FileReport['refused'][number][] = []
  let batch: { readonly line: number; readonly receipt: Receipt }[] = []
  const flush = async () => {
    const report = await receive(
      batch.map(({ receipt }) => receipt),
      parts,
    )
    accepted += report.accepted
    duplicates += report.duplicates
    for (const [index, result] of report.results.entries()) {
      if (result.status === 'rejected') refused.push({ line: batch[index]?.line ?? 0, ...result })
    }
    batch = []
  }
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1
    if (line.trim() !== '') batch.push({ line: number, receipt: parseLine(line) })
    if (batch.length === BATCH) await flush()
  }
  await flush()
  return { accepted, duplicates, rejected: refused.length, refused }
}

/** What is no JSON is refused, as every other receipt that says nothing. */
function parseLine(line: string): Receipt {
  try {
    return JSON.parse(line) as Receipt
  } catch {
    return null as unknown as Receipt
  }
}

function reportText({ accepted, duplicates, rejected, refused }: FileReport): string {
  const counts = table('receipts', [''], Object.entries({ accepted, duplicates, rejected }))
  const lines = refused.map(({ line, code, message }) => `  line ${line}: ${code}: ${message}`)
  return [counts, ...lines].join('\n')
}
