/** The versions of a secret in the order of time, with their stages, and the next rotation. */
import Badge from '@cloudscape-design/components/badge'
import Box from '@cloudscape-design/components/box'
import type { Output } from '../../api/sdk.ts'
import { Code } from '../../ui/fields.tsx'
import { timeFromNow, timeShown } from '../../ui/time.ts'

type Version = NonNullable<Output<'secretsmanager', 'ListSecretVersionIds'>['Versions']>[number]

interface Props {
  readonly versions: readonly Version[]
  readonly nextRotation: Date | undefined
  readonly lastRotation: Date | undefined
}

const COLORS: Readonly<Record<string, 'green' | 'blue' | 'severity-medium'>> = {
  AWSCURRENT: 'green',
  AWSPREVIOUS: 'blue',
  AWSPENDING: 'severity-medium',
}

export function VersionTimeLine({ versions, nextRotation, lastRotation }: Props) {
  const newestFirst = versions.toSorted((a, b) => (b.CreatedDate?.getTime() ?? 0) - (a.CreatedDate?.getTime() ?? 0))
  return (
    <ol className="time-line">
      {nextRotation && (
        <li data-kind="future">
          <strong>Next rotation</strong>{' '}
          <Box variant="span" color="text-body-secondary">
            {timeShown(nextRotation)}, {timeFromNow(nextRotation)}
          </Box>
        </li>
      )}
      {newestFirst.map(({ VersionId, VersionStages = [], CreatedDate, LastAccessedDate }) => (
        <li
          key={VersionId}
          data-kind={
            VersionStages.includes('AWSCURRENT') ? 'current' : VersionStages.length === 0 ? 'deprecated' : 'other'
          }
        >
          <span className="time-line-stages">
            {VersionStages.map((stage) => (
              <Badge key={stage} color={COLORS[stage] ?? 'grey'}>
                {stage}
              </Badge>
            ))}
            {VersionStages.length === 0 && <Badge>No stage</Badge>}
          </span>{' '}
          <Code>{VersionId}</Code>
          <Box color="text-body-secondary">
            Created {timeShown(CreatedDate)}, {timeFromNow(CreatedDate)}
            {LastAccessedDate && `; last read ${timeFromNow(LastAccessedDate)}`}
          </Box>
        </li>
      ))}
      {lastRotation && (
        <li data-kind="other">
          <Box color="text-body-secondary">Last rotated {timeShown(lastRotation)}</Box>
        </li>
      )}
    </ol>
  )
}
