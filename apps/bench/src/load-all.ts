/** What has to be released once it is loaded. */
interface Releasable {
  release(): Promise<void>
}

/** What loaders load, each in its place. */
type AllLoaded<Loaders extends readonly (() => Promise<Releasable>)[]> = {
  -readonly [Index in keyof Loaders]: Awaited<ReturnType<Loaders[Index]>>
}

/** Loads one after another. Where one fails, those before it are released, and its error is thrown. */
export async function loadAll<const Loaders extends readonly (() => Promise<Releasable>)[]>(
  loaders: Loaders,
): Promise<AllLoaded<Loaders>> {
  const loaded: Releasable[] = []
  try {
    for (const load of loaders) loaded.push(await load())
    return loaded as AllLoaded<Loaders>
  } catch (error) {
    for (const one of loaded) await one.release()
    throw error
  }
}
