export * from './external-data-folder.ts'
export * from './onnx-file.ts'
