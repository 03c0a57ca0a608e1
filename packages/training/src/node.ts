export { type BudgetedStorageOptions, createBudgetedStorage } from './budgeted-storage.ts'
export { createFileStorage, type FileStorageOptions } from './file-storage.ts'
