export { chooseStorage, type StorageChoiceOptions } from './choose-storage.ts'
export { createFileStorage, type FileStorageOptions } from './file-storage.ts'
