/** The messages at the top of the page. */
import Box from '@cloudscape-design/components/box'
import Flashbar from '@cloudscape-design/components/flashbar'
import type { Notices } from './notices.tsx'

export default function NoticeList({ all, dismiss }: Pick<Notices, 'all' | 'dismiss'>) {
  return (
    <Box margin={{ bottom: 'm' }}>
      <Flashbar
        items={all.map(({ id, type, text }) => ({
          id,
          type,
          content: text,
          dismissible: true,
          dismissLabel: 'Dismiss this message',
          onDismiss: () => dismiss(id),
        }))}
      />
    </Box>
  )
}
