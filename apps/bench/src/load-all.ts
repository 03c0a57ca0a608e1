/** What has to be released once it is loaded. */
interface Releasable {
  release(): Promise<void>
}

/** Loads one after another. Where one fails, those before it are released, and its error is thrown. */
export async function loadAll<Loaded extends Releasable>(
  loaders: readonly (() => Promise<Loaded>)[],
): Promise<Loaded[]> {
  const loaded: Loaded[] = []
  try {
    for (const load of loaders) loaded.push(await load())
    return loaded
  } catch (error) {
    for (const one of loaded) await one.release()
    throw error
  }
}
