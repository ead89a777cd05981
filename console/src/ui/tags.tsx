/** Tags of a resource: shown, and changed in a dialog. */
import AttributeEditor from '@cloudscape-design/components/attribute-editor'
import Button from '@cloudscape-design/components/button'
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import Input from '@cloudscape-design/components/input'
import { useState } from 'react'
import { Dialog } from './dialog.tsx'
import { Fields, Muted } from './fields.tsx'
import { useDialog } from './use-dialog.tsx'

export interface Tag {
  readonly key: string
  readonly value: string
}

interface Props {
  readonly tags: readonly Tag[]
  /** Rejects with what the service said. */
  readonly save: (added: readonly Tag[], removed: readonly string[]) => Promise<unknown>
}

export function Tags({ tags, save }: Props) {
  const { dialog, open } = useDialog()
  return (
    <Container
      header={
        <Header
          variant="h2"
          counter={`(${tags.length})`}
          actions={
            <Button onClick={() => open((close) => <EditTags tags={tags} save={save} onClose={close} />)}>
              Edit tags
            </Button>
          }
        >
          Tags
        </Header>
      }
    >
      {tags.length === 0 ? (
        <Muted>There are no tags.</Muted>
      ) : (
        <Fields columns={4} items={Object.fromEntries(tags.map(({ key, value }) => [key, value || '–']))} />
      )}
      {dialog}
    </Container>
  )
}

function EditTags({ tags, save, onClose }: Props & { readonly onClose: () => void }) {
  const [items, setItems] = useState<readonly Tag[]>(tags)
  const put = (at: number, part: Partial<Tag>) =>
    setItems(items.map((item, n) => (n === at ? { ...item, ...part } : item)))
  const run = () => {
    const before = new Map(tags.map(({ key, value }) => [key, value]))
    const kept = new Set(items.map(({ key }) => key))
    return save(
      items.filter(({ key, value }) => before.get(key) !== value),
      [...before.keys()].filter((key) => !kept.has(key)),
    )
  }
  return (
    <Dialog
      title="Edit tags"
      submit="Save"
      size="large"
      onClose={onClose}
      run={run}
      disabled={items.some(({ key }) => key === '')}
    >
      <AttributeEditor
        items={items}
        addButtonText="Add tag"
        removeButtonText="Remove"
        empty="There are no tags."
        onAddButtonClick={() => setItems([...items, { key: '', value: '' }])}
        onRemoveButtonClick={({ detail }) => setItems(items.filter((_, at) => at !== detail.itemIndex))}
        definition={[
          {
            label: 'Key',
            control: ({ key }, at) => (
              <Input
                value={key}
                ariaLabel={`Key ${at + 1}`}
                onChange={({ detail }) => put(at, { key: detail.value })}
              />
            ),
          },
          {
            label: 'Value',
            control: ({ value }, at) => (
              <Input
                value={value}
                ariaLabel={`Value ${at + 1}`}
                onChange={({ detail }) => put(at, { value: detail.value })}
              />
            ),
          },
        ]}
      />
    </Dialog>
  )
}
