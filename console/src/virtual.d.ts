declare module 'virtual:built-operations' {
  const operations: Readonly<Record<string, readonly string[]>>
  export default operations
}
