/** What every codec refuses alike. */
import { Fault } from './fault.ts'

/** A value of the wrong type: AWS's SerializationException, in whatever form the protocol gives it. */
export function serializationFault(message: string): Fault {
  return new Fault('SerializationException', message, { status: 400 })
}

/** Nesting deeper than any model goes: a body that does is an attack. */
export const DEPTH_MAX = 64

/** The names prototypes are made of never become members. */
export const isPoison = (name: string): boolean => name === '__proto__'
