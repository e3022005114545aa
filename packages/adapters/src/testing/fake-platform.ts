import { errcodeOf, type FakeAnswer, type FakeFault, type FakeRequest, FakeServer } from './fake-server.js'

/** A platform on this machine: what befalls requests, and which there were. */
export abstract class FakePlatform {
  /** `http://127.0.0.1:…`, once it listens. */
  url = ''
  readonly #server = new FakeServer((request) => this.answer(request))

  protected abstract answer(request: FakeRequest): FakeAnswer | Promise<FakeAnswer>

  /** All requests that were read, in order. */
  get requests(): readonly FakeRequest[] {
    return this.#server.requests
  }

  async listen(port?: number): Promise<void> {
    this.url = await this.#server.listen(port)
  }

  /** What befalls the next request, or the next one of this path; a number is the `errcode` of its answer. */
  next(fault: FakeFault | number, path?: string): void {
    this.#server.next(typeof fault === 'number' ? errcodeOf(fault) : fault, path)
  }

  /** Forgets faults that have befallen nobody. */
  clear(): void {
    this.#server.clear()
  }

  /** Resolves once it holds a request that it will never answer. */
  hanging(): Promise<void> {
    return this.#server.hanging()
  }

  close(): Promise<void> {
    return this.#server.close()
  }
}
