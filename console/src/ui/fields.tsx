/** Labels with values, and small texts that many pages share. */
import Box from '@cloudscape-design/components/box'
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard'
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs'
import type { ReactNode } from 'react'

export function Fields({
  items,
  columns = 3,
}: {
  readonly items: Readonly<Record<string, ReactNode>>
  readonly columns?: number
}) {
  return (
    <KeyValuePairs
      columns={columns}
      items={Object.entries(items).map(([label, value]) => ({ label, value: value ?? '–' }))}
    />
  )
}

/** An ARN or id, to copy. */
export function Copyable({ text }: { readonly text: string }) {
  return (
    <CopyToClipboard
      variant="inline"
      textToCopy={text}
      copyButtonAriaLabel={`Copy ${text}`}
      copySuccessText="Copied"
      copyErrorText="The browser does not allow copying"
    />
  )
}

export function Code({ children }: { readonly children: ReactNode }) {
  return <span className="mono">{children}</span>
}

export function Muted({ children }: { readonly children: ReactNode }) {
  return (
    <Box variant="span" color="text-body-secondary">
      {children}
    </Box>
  )
}

export const jsonShown = (value: unknown): string => JSON.stringify(value, undefined, 2)

/** A policy document as a person reads it. */
export function formatted(document: string): string {
  try {
    return jsonShown(JSON.parse(document))
  } catch {
    return document
  }
}
