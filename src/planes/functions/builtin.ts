/** A function that is part of Merlon: its input, and everything that it may reach. */
import type { Socket } from 'node:net'

/** What AWS answered instead of a success. */
export interface AwsError extends Error {
  readonly code: string
}

export interface BuiltinWorld {
  /** Signed as the function's execution role. Answers the JSON of the wire. Throws {@link AwsError}. */
  readonly secretsmanager: (operation: string, input: object) => Promise<Readonly<Record<string, unknown>>>
  /** An operation of IAM's Query protocol, for the same role; answers the XML. */
  readonly iam: (action: string, parameters: Readonly<Record<string, string>>) => Promise<string>
  /** The ARN that STS knows the holder of a key by. Throws {@link AwsError}. */
  readonly callerOf: (key: { readonly accessKeyId: string; readonly secret: string }) => Promise<string>
  /** A TCP connection, if the operator lets functions of this account go there. Throws when not. */
  readonly dial: (host: string, port: number) => Promise<Socket>
  readonly environment: Readonly<Record<string, string>>
  /** For the function's own log. Never values. */
  readonly log: (line: string) => void
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Fires when the function's time has run out: connections must end. */
  readonly signal: AbortSignal
}

/** Answers what `Invoke` answers, as JSON. What it throws is the function's error. */
export type Builtin = (event: unknown, world: BuiltinWorld) => Promise<unknown>
