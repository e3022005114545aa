import { type Engine, loadPack, type Published } from '@linli/core'

/** Puts the rules of a folder in force in every process on the engine's database, and tells how subjects follow. */
export async function publishFolder(engine: Engine, folder: string, tell = console.log): Promise<Published> {
  const pack = await loadPack(folder)
  return engine.publish(pack, { onProgress: ({ done, total }) => tell(`${done} of ${total} subjects`) })
}
