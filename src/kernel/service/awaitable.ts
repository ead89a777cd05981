/** What a function may return at once or later. */
export type Awaitable<T> = T | Promise<T>
