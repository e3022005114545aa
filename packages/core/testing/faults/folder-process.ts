import { openStore } from '../../src/storage/open.js'

// Opens a store in a folder, says how many events it has, and each one more that is kept.

const store = await openStore(process.env['LINLI_FOLDER'] ?? '')
await store.migrate()
const kept = (await store.readEvents({ userIds: ['u-1'] })).length
process.send?.(kept)
process.on('disconnect', () => process.exit(0))
for (let index = kept; ; index++) {
  const about = { userId: 'u-1', at: index, receivedAt: 0, properties: {} }
  await store.transaction((tx) => tx.addEvents([{ messageId: `m-${index}`, type: 'track', event: 'e', ...about }]))
  process.send?.(index + 1)
}
