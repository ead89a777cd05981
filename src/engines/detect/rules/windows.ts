/** Counting within a time: distinct values and amounts of a key, found once a window. */
import type { Table } from '../state.ts'

export interface Window {
  from: number
  values: string[]
  amount: number
  ids: string[]
  /** Already found in this window. */
  done: boolean
}

const IDS_MAX = 50

/** The window of the key that holds `time`, begun anew when the last one is over. Follow by `put`. */
export function windowAt(table: Table<Window>, key: string, time: number, lengthMs: number): Window {
  const window = table.get(key)
  return window && Math.abs(time - window.from) < lengthMs
    ? window
    : { from: time, values: [], amount: 0, ids: [], done: false }
}

/** At most `max` values are kept: enough to say that there are as many. */
export function addValue(window: Window, value: string, id: string, max: number): void {
  if (window.values.length < max && !window.values.includes(value)) window.values.push(value)
  addId(window, id)
}

export function addId(window: Window, id: string): void {
  if (window.ids.length < IDS_MAX) window.ids.push(id)
}
