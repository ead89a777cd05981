/** The services of a cloud while it runs: opened in one or two steps, then started, measured and closed together. */
import type { ExchangeHandler } from '../../kernel/planes/exchange.ts'
import type { RecordHandler } from '../../kernel/planes/records.ts'
import type { PortTable } from '../../kernel/ports/port.ts'
import { type OpenServices, openServices, type ServiceContext } from '../../kernel/service/open-services.ts'
import type { Service } from '../../kernel/service/service.ts'

/** What services do with records and messages of planes. */
export interface PlaneHandlers {
  records(plane: string): readonly RecordHandler[]
  exchange(plane: string): ExchangeHandler | undefined
}

export class RunningServices implements PlaneHandlers {
  readonly #context: ServiceContext
  readonly #ports: PortTable
  readonly #all: Service[] = []
  readonly #opened: OpenServices[] = []
  #isStarted = false

  constructor(context: ServiceContext, ports: PortTable) {
    this.#context = context
    this.#ports = ports
  }

  get all(): readonly Service[] {
    return this.#all
  }

  /** Opens more services, which provide their ports. Throws when a port has two providers. */
  open(more: readonly Service[]): void {
    this.#all.push(...more)
    this.#opened.push(openServices(more, this.#context, this.#ports))
  }

  /** To be called when all are open. Throws when nothing provides a port that one of them needs. */
  assertProvided(): void {
    for (const { api, needs = [] } of this.#all) this.#ports.assertProvided(needs, api.id)
  }

  start(): void {
    this.#isStarted = true
    for (const each of this.#opened) each.start()
  }

  /** Starts what was opened last, where the others have been started. */
  startLast(): void {
    if (this.#isStarted) this.#opened.at(-1)?.start()
  }

  async metrics(): Promise<readonly string[]> {
    return (await Promise.all(this.#opened.map((each) => each.metrics()))).flat()
  }

  async flush(): Promise<void> {
    for (const each of this.#opened) await each.flush()
  }

  async close(): Promise<void> {
    for (const each of this.#opened.toReversed()) await each.close()
  }

  records(plane: string): readonly RecordHandler[] {
    return this.#all.flatMap(({ planeRecords }) => planeRecords?.[plane] ?? [])
  }

  exchange(plane: string): ExchangeHandler | undefined {
    return this.#all.flatMap(({ planeExchanges }) => planeExchanges?.[plane] ?? [])[0]
  }
}
