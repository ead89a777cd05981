/** The frame of a page: its title, what can be done, and its parts. */
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group'
import ContentLayout from '@cloudscape-design/components/content-layout'
import Header from '@cloudscape-design/components/header'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useEffect } from 'react'
import { hrefOf } from '../app/router.ts'

interface Props {
  readonly title: string
  readonly description?: ReactNode
  readonly actions?: ReactNode
  /** Pages above this one. */
  readonly trail?: readonly (readonly [text: string, segments: readonly string[]])[]
  readonly children: ReactNode
}

export function Page({ title, description, actions, trail = [], children }: Props) {
  useEffect(() => {
    document.title = `${title} – Merlon`
  }, [title])
  return (
    <ContentLayout
      breadcrumbs={
        trail.length > 0 && (
          <BreadcrumbGroup
            ariaLabel="Pages above this one"
            items={[
              ...trail.map(([text, segments]) => ({ text, href: hrefOf(segments) })),
              { text: title, href: location.hash },
            ]}
          />
        )
      }
      header={
        <Header variant="h1" description={description} actions={actions}>
          {title}
        </Header>
      }
    >
      <SpaceBetween size="l">{children}</SpaceBetween>
    </ContentLayout>
  )
}
