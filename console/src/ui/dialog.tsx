/** A form in a dialog that makes one change: the button waits, the service's refusal is shown, success closes it. */
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Form from '@cloudscape-design/components/form'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import Modal from '@cloudscape-design/components/modal'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { ErrorAlert } from './error-alert.tsx'

interface Props {
  readonly title: string
  readonly submit: string
  readonly onClose: () => void
  /** Rejects with what the service said. */
  readonly run: () => Promise<unknown>
  readonly disabled?: boolean
  /** Must be typed before something is deleted for good. */
  readonly confirm?: string | undefined
  readonly size?: 'medium' | 'large'
  /** What follows is shown in its place: success does not close it. */
  readonly keepOpen?: boolean
  readonly children?: ReactNode
}

export function Dialog({
  title,
  submit,
  onClose,
  run,
  disabled = false,
  confirm,
  size = 'medium',
  keepOpen = false,
  children,
}: Props) {
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const [typed, setTyped] = useState('')
  // The focus returns to what opened the dialog: at the top of the page a person at the keyboard would begin again.
  const [opener] = useState(() => document.activeElement)
  useEffect(
    () => () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
    },
    [opener],
  )
  // The modal has moved the focus to its button for closing by then.
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    const frame = requestAnimationFrame(() =>
      form.current?.querySelector<HTMLElement>('input:not([hidden]), textarea')?.focus(),
    )
    return () => cancelAnimationFrame(frame)
  }, [])
  const start = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await run()
      if (!keepOpen) onClose()
    } catch (failure) {
      setError(failure as Error)
    }
    setBusy(false)
  }
  const isReady = !disabled && (confirm === undefined || typed === confirm)
  return (
    <Modal
      visible
      header={title}
      size={size}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={!isReady} onClick={start}>
              {submit}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !busy) void start()
        }}
      >
        <Form>
          <SpaceBetween size="m">
            {children}
            {confirm !== undefined && (
              <FormField label={`To confirm, type ${confirm}`}>
                <Input value={typed} onChange={({ detail }) => setTyped(detail.value)} autoComplete={false} />
              </FormField>
            )}
            {error && <ErrorAlert error={error} />}
          </SpaceBetween>
        </Form>
        {/* Browsers submit a form of several fields by Enter only if it has a button for it. */}
        <input type="submit" hidden />
      </form>
    </Modal>
  )
}
