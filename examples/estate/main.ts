import { showProgress } from './progress.js'
import { writeReport } from './report.js'
import { liveThroughMonth } from './story.js'

const started = performance.now()
const progress = showProgress()
const story = await liveThroughMonth({ seed: 2026, database: 'memory', onProgress: progress.update })
progress.end()
process.stdout.write(writeReport(story))
process.stderr.write(`${((performance.now() - started) / 1000).toFixed(1)} s, embedded PostgreSQL included\n`)
