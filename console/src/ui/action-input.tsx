/** An action of IAM, with the known ones to choose from. */
import Autosuggest from '@cloudscape-design/components/autosuggest'
import { actionsByService } from '../access/actions.ts'
import { useLoaded } from './use-call.ts'

const SHOWN_MAX = 60

export function ActionInput({
  value,
  onChange,
}: {
  readonly value: string
  readonly onChange: (value: string) => void
}) {
  const all = useLoaded('actions', async () => {
    const services = await actionsByService()
    return { prefixes: [...services.keys()], services }
  })
  const [service = '', name] = value.split(':')
  const names = all.data?.services.get(service.toLowerCase())
  const options =
    name === undefined || !names
      ? (all.data?.prefixes ?? []).filter((each) => each.startsWith(service.toLowerCase())).map((each) => `${each}:`)
      : names.filter((each) => each.toLowerCase().includes(value.toLowerCase().slice(service.length + 1)))
  return (
    <Autosuggest
      value={value}
      onChange={({ detail }) => onChange(detail.value.trim())}
      options={options.slice(0, SHOWN_MAX).map((each) => ({ value: each }))}
      statusType={all.loading ? 'loading' : 'finished'}
      loadingText="Loading actions"
      filteringType="manual"
      enteredTextLabel={(text) => `Use ${text}`}
      placeholder="service:Action"
      ariaLabel="Action"
    />
  )
}
