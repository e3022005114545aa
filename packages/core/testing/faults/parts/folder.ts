import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '../../../src/storage/open.js'
import type { Finding } from '../checks.js'
import { Chance } from '../nasty.js'
import type { Part } from '../part.js'
import { program } from '../shop.js'

const KILLS = 100
/** After so many kills somebody else tries to open the folder, too. */
const EVERY = 5

export const FOLDER: Part = {
  name: 'T12',
  does: 'a process that writes to a folder (PGlite) is killed; others try to open the folder beside it',
  run: async (bench) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'linli-folder-'))
    const chance = new Chance(bench.seed)
    const findings: Finding[] = []
    const kills = bench.share(KILLS)
    let [acknowledged, refused] = [0, 0]
    try {
      for (let kill = 0; kill < kills; kill++) {
        const child = fork(await program('folder-process'), {
          env: { ...process.env, LINLI_FOLDER: folder },
          execArgv: [],
        })
        const ended = once(child, 'exit')
        const [kept] = (await Promise.race([once(child, 'message'), ended])) as [number]
        // The last one may have been kept although nobody could say so any more.
        if (kept !== acknowledged && kept !== acknowledged + 1)
          findings.push({ promise: 'what was acknowledged is kept', found: `${kept} of ${acknowledged}` })
        acknowledged = kept
        child.on('message', (count: number) => {
          acknowledged = count
        })
        if (kill % EVERY === 0) refused += await isRefused(folder, findings)
        await sleep(chance.below(300))
        child.kill('SIGKILL')
        await ended
        if ((kill + 1) % 20 === 0) bench.say(`${kill + 1} kills, ${acknowledged} commits`)
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    return { did: { kills, commits: acknowledged, 'second opens refused': refused }, findings }
  },
}

async function isRefused(folder: string, findings: Finding[]): Promise<number> {
  const code = await openStore(folder).then(
    () => 'opened',
    (error: unknown) => (error as { code?: unknown }).code,
  )
  if (code === 'database.locked') return 1
  findings.push({ promise: 'a folder is opened by one process at a time', found: String(code) })
  return 0
}
