/** An editor for policies: colors, and the findings of Access Analyzer while the text changes. */
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Link from '@cloudscape-design/components/link'
import SpaceBetween from '@cloudscape-design/components/space-between'
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator'
import { useEffect, useId, useRef, useState } from 'react'
import { ApiError } from '../api/protocol.ts'
import type { Output } from '../api/sdk.ts'
import { useMerlon } from '../app/merlon.tsx'
import { formatted } from './fields.tsx'
import { Highlighted, type Mark } from './json-highlight.tsx'

export type EditorKind = 'identity' | 'resource' | 'trust' | 'scp' | 'rcp'
type Finding = NonNullable<Output<'accessanalyzer', 'ValidatePolicy'>['findings']>[number]

const TYPES = {
  identity: { policyType: 'IDENTITY_POLICY' },
  resource: { policyType: 'RESOURCE_POLICY' },
  trust: { policyType: 'RESOURCE_POLICY', validatePolicyResourceType: 'AWS::IAM::AssumeRolePolicyDocument' },
  scp: { policyType: 'SERVICE_CONTROL_POLICY' },
  rcp: { policyType: 'RESOURCE_CONTROL_POLICY' },
} as const

const LINT_AFTER_MS = 350

type Lint =
  | { readonly state: 'checking' }
  | { readonly state: 'unavailable'; readonly why: string }
  | { readonly state: 'done'; readonly findings: readonly Finding[] }

interface Props {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly kind: EditorKind
  readonly label: string
  readonly rows?: number
}

export function PolicyEditor({ value, onChange, kind, label, rows = 18 }: Props) {
  const lint = useLint(value, kind)
  const area = useRef<HTMLTextAreaElement>(null)
  const behind = useRef<HTMLPreElement>(null)
  const id = useId()
  const findings = lint.state === 'done' ? lint.findings : []
  const marks = findings.flatMap((finding) => marksOf(finding))
  const lines = value.split('\n').length
  const scrolled = () => {
    if (!area.current || !behind.current) return
    behind.current.style.transform = `translate(${-area.current.scrollLeft}px, ${-area.current.scrollTop}px)`
  }
  const show = ({ start, end }: Mark) => {
    area.current?.focus()
    area.current?.setSelectionRange(start, end)
    const line = value.slice(0, start).split('\n').length
    if (area.current) area.current.scrollTop = Math.max(0, (line - 4) * LINE_PX)
  }
  return (
    <SpaceBetween size="xs">
      <div className="editor" style={{ blockSize: rows * LINE_PX + 18 }}>
        <div className="editor-lines" aria-hidden="true">
          <pre ref={behind} className="editor-behind">
            {Array.from({ length: lines }, (_, at) => `${at + 1}\n`).join('')}
          </pre>
        </div>
        <EditorText
          areaRef={area}
          value={value}
          marks={marks}
          label={label}
          describedBy={id}
          onChange={onChange}
          onScroll={scrolled}
        />
      </div>
      <div id={id} aria-live="polite">
        <Findings lint={lint} value={value} onShow={show} />
      </div>
      <Button iconName="edit" variant="inline-link" onClick={() => onChange(formatted(value))}>
        Format
      </Button>
    </SpaceBetween>
  )
}

const LINE_PX = 20

interface TextProps {
  readonly areaRef: React.RefObject<HTMLTextAreaElement | null>
  readonly value: string
  readonly marks: readonly Mark[]
  readonly label: string
  readonly describedBy: string
  readonly onChange: (value: string) => void
  readonly onScroll: () => void
}

/** A text field without color over the same text in color. */
function EditorText({ areaRef, value, marks, label, describedBy, onChange, onScroll }: TextProps) {
  const colored = useRef<HTMLPreElement>(null)
  return (
    <div className="editor-text">
      <pre ref={colored} className="editor-colored" aria-hidden="true">
        <Highlighted text={`${value}\n`} marks={marks} />
      </pre>
      <textarea
        ref={areaRef}
        value={value}
        aria-label={label}
        aria-describedby={describedBy}
        aria-invalid={marks.some(({ kind }) => kind === 'error')}
        spellCheck={false}
        autoCapitalize="off"
        autoCorrect="off"
        wrap="off"
        onChange={(event) => onChange(event.target.value)}
        onScroll={(event) => {
          const { scrollLeft, scrollTop } = event.currentTarget
          if (colored.current) colored.current.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`
          onScroll()
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return
          // The new line begins below the text of the line before.
          const { selectionStart, selectionEnd } = event.currentTarget
          const indent = /^[ \t]*/.exec(
            value.slice(value.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart),
          )![0]
          if (indent === '') return
          event.preventDefault()
          const target = event.currentTarget
          onChange(`${value.slice(0, selectionStart)}\n${indent}${value.slice(selectionEnd)}`)
          requestAnimationFrame(() =>
            target.setSelectionRange(selectionStart + 1 + indent.length, selectionStart + 1 + indent.length),
          )
        }}
      />
    </div>
  )
}

function useLint(value: string, kind: EditorKind): Lint {
  const { client } = useMerlon()
  const [lint, setLint] = useState<Lint>({ state: 'checking' })
  useEffect(() => {
    let isCurrent = true
    setLint((before) => (before.state === 'done' ? before : { state: 'checking' }))
    const timer = setTimeout(() => {
      if (value.trim() === '') return setLint({ state: 'done', findings: [] })
      client.list('accessanalyzer', 'ValidatePolicy', { policyDocument: value, ...TYPES[kind] }, 'findings').then(
        (findings) => isCurrent && setLint({ state: 'done', findings }),
        (error: Error) =>
          isCurrent &&
          setLint({
            state: 'unavailable',
            why:
              error instanceof ApiError && error.isDenial ? 'You lack access-analyzer:ValidatePolicy.' : error.message,
          }),
      )
    }, LINT_AFTER_MS)
    return () => {
      isCurrent = false
      clearTimeout(timer)
    }
  }, [value, kind, client])
  return lint
}

const LOOKS: Readonly<
  Record<string, { readonly status: StatusIndicatorProps.Type; readonly name: string; readonly mark: Mark['kind'] }>
> = {
  ERROR: { status: 'error', name: 'Error', mark: 'error' },
  SECURITY_WARNING: { status: 'warning', name: 'Security warning', mark: 'warning' },
  WARNING: { status: 'warning', name: 'Warning', mark: 'warning' },
  SUGGESTION: { status: 'info', name: 'Suggestion', mark: 'suggestion' },
}
const ORDER = Object.keys(LOOKS)

function marksOf({ findingType, locations }: Finding): readonly Mark[] {
  return (locations ?? []).flatMap(({ span }) =>
    span?.start?.offset === undefined || span.end?.offset === undefined
      ? []
      : [{ start: span.start.offset, end: span.end.offset, kind: LOOKS[findingType ?? '']?.mark ?? 'suggestion' }],
  )
}

function Findings({
  lint,
  value,
  onShow,
}: {
  readonly lint: Lint
  readonly value: string
  readonly onShow: (mark: Mark) => void
}) {
  if (lint.state === 'checking') return <StatusIndicator type="loading">Checking the policy</StatusIndicator>
  if (lint.state === 'unavailable')
    return <StatusIndicator type="info">The policy is not checked while you type: {lint.why}</StatusIndicator>
  if (value.trim() === '') return <StatusIndicator type="pending">The policy is empty</StatusIndicator>
  const sorted = lint.findings.toSorted(
    (a, b) => ORDER.indexOf(a.findingType ?? '') - ORDER.indexOf(b.findingType ?? ''),
  )
  if (sorted.length === 0) return <StatusIndicator type="success">No findings</StatusIndicator>
  return (
    <SpaceBetween size="xxs">
      {sorted.map((finding, at) => {
        const { status, name } = LOOKS[finding.findingType ?? ''] ?? LOOKS['SUGGESTION']!
        const [mark] = marksOf(finding)
        const line = finding.locations?.[0]?.span?.start?.line
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: two findings may be alike but for their place in the list.
          <Box key={`${finding.issueCode} ${at}`}>
            <StatusIndicator type={status}>{name}</StatusIndicator>{' '}
            {mark && line !== undefined && (
              <Link
                onFollow={(event) => {
                  event.preventDefault()
                  onShow(mark)
                }}
                href="#"
                variant="primary"
                ariaLabel={`Go to line ${line}`}
              >
                line {line}
              </Link>
            )}{' '}
            {finding.findingDetails}
          </Box>
        )
      })}
    </SpaceBetween>
  )
}

/** Whether IAM would refuse the text because it is no JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
