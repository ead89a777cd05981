/** A table of resources: filter, sort, pages, selection and what can be done with the selected ones. */
import { useCollection } from '@cloudscape-design/collection-hooks'
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Header from '@cloudscape-design/components/header'
import Link from '@cloudscape-design/components/link'
import Pagination from '@cloudscape-design/components/pagination'
import Table from '@cloudscape-design/components/table'
import TextFilter from '@cloudscape-design/components/text-filter'
import { type ReactNode, useState } from 'react'
import { ErrorAlert } from './error-alert.tsx'
import { timeShown } from './time.ts'
import type { Loaded } from './use-call.ts'

export interface Column<T> {
  readonly header: string
  /** What is filtered, sorted and, without `cell`, shown. */
  readonly value: (item: T) => string | number | boolean | Date | undefined
  readonly cell?: (item: T) => ReactNode
  readonly href?: (item: T) => string
}

interface Props<T> {
  readonly title: string
  readonly description?: ReactNode
  readonly noun: string
  readonly loaded: Loaded<readonly T[]>
  readonly columns: readonly Column<T>[]
  readonly idOf: (item: T) => string
  /** Buttons; called with the selected items. */
  readonly actions?: (selected: readonly T[]) => ReactNode
  readonly selectable?: 'single' | 'multi'
  readonly empty?: ReactNode
  readonly pageSize?: number
  readonly variant?: 'full-page' | 'container' | 'embedded'
  readonly headerVariant?: 'h1' | 'h2' | 'h3'
}

const PAGE = 25

export function ResourceTable<T>({
  title,
  description,
  noun,
  loaded,
  columns,
  idOf,
  actions,
  selectable,
  empty,
  pageSize = PAGE,
  variant = 'container',
  headerVariant = 'h2',
}: Props<T>) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const all = loaded.data ?? []
  const nouns = pluralOf(noun)
  const selected = all.filter((item) => chosen.has(idOf(item)))
  const { items, filterProps, paginationProps, collectionProps, filteredItemsCount } = useCollection<T>(all, {
    filtering: {
      filteringFunction: (item, text) =>
        text === '' || columns.some(({ value }) => textOf(value(item)).toLowerCase().includes(text.toLowerCase())),
      empty: empty ?? <Box color="text-body-secondary">There are no {nouns}.</Box>,
      noMatch: <Box color="text-body-secondary">No {noun} matches.</Box>,
    },
    pagination: { pageSize },
    sorting: {},
  })
  if (loaded.error) return <ErrorAlert error={loaded.error} onRetry={loaded.reload} />
  return (
    <Table<T>
      {...collectionProps}
      variant={variant}
      items={items}
      loading={loaded.loading && loaded.data === undefined}
      loadingText={`Loading ${nouns}`}
      trackBy={(item) => idOf(item)}
      enableKeyboardNavigation
      wrapLines
      ariaLabels={{
        tableLabel: title,
        selectionGroupLabel: `Selected ${nouns}`,
        allItemsSelectionLabel: () => `Select all ${nouns}`,
        itemSelectionLabel: (_, item) => `Select ${idOf(item)}`,
      }}
      columnDefinitions={columns.map(({ header, value, cell, href }, at) => ({
        id: header,
        header,
        isRowHeader: at === 0,
        sortingComparator: (a: T, b: T) => compared(value(a), value(b)),
        cell: (item: T) => {
          const shown = cell ? cell(item) : textOf(value(item)) || '–'
          const address = href?.(item)
          return address === undefined ? shown : <Link href={address}>{shown}</Link>
        },
      }))}
      {...(selectable && {
        selectionType: selectable,
        selectedItems: selected,
        onSelectionChange: ({ detail }: { detail: { selectedItems: T[] } }) =>
          setChosen(new Set(detail.selectedItems.map(idOf))),
      })}
      filter={
        all.length > 5 && (
          <TextFilter
            {...filterProps}
            filteringPlaceholder={`Find ${nouns}`}
            filteringAriaLabel={`Find ${nouns}`}
            countText={`${filteredItemsCount ?? 0} found`}
          />
        )
      }
      pagination={
        all.length > pageSize && (
          <Pagination
            {...paginationProps}
            ariaLabels={{
              nextPageLabel: 'Next page',
              previousPageLabel: 'Previous page',
              pageLabel: (n) => `Page ${n}`,
            }}
          />
        )
      }
      header={
        <Header
          variant={headerVariant}
          counter={loaded.data ? `(${all.length})` : ''}
          description={description}
          actions={
            <div className="actions">
              <Button iconName="refresh" ariaLabel={`Reload ${nouns}`} onClick={loaded.reload} />
              {actions?.(selected)}
            </div>
          }
        >
          {title}
        </Header>
      }
    />
  )
}

const textOf = (value: string | number | boolean | Date | undefined): string =>
  value instanceof Date
    ? timeShown(value)
    : value === undefined
      ? ''
      : value === true
        ? 'Yes'
        : value === false
          ? 'No'
          : String(value)

/** `policies`, `secrets` */
export const pluralOf = (noun: string): string => {
  const [first = '', ...rest] = noun.split(/( of .*)/)
  return (/[^aeiou]y$/.test(first) ? first.slice(0, -1) + 'ies' : first + 's') + rest.join('')
}

type Value = string | number | boolean | Date | undefined

function compared(a: Value, b: Value): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  if (typeof a === 'string' && typeof b === 'string') return a.localeCompare(b)
  return Number(a) - Number(b)
}
