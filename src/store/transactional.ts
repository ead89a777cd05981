/** What every store does by its transactions, whatever the engine below them. */
import type { Commit, Unit } from './store.ts'
import type { Transactions } from './transactions.ts'

export abstract class Transactional {
  readonly reader: Pick<Unit, 'get' | 'range'>
  protected readonly transactions: Transactions

  protected constructor(transactions: Transactions) {
    this.transactions = transactions
    this.reader = transactions.reader
  }

  get revision(): number {
    return this.transactions.revision
  }

  run<T>(body: (unit: Unit) => Promise<T> | T): Promise<T> {
    return this.transactions.run(body)
  }

  sync(): Promise<void> {
    return this.transactions.sync()
  }

  probe(): Promise<void> {
    return this.transactions.probe()
  }

  subscribe(listener: (commit: Commit) => void): () => void {
    return this.transactions.subscribe(listener)
  }
}
