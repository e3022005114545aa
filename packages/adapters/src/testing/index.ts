export { type FakeAnswer, type FakeFault, type FakeHandler, type FakeRequest, FakeServer } from './fake-server.js'
export { type FakeWecom, type FakeWecomOptions, type FakeWecomTaken, startFakeWecom } from './fake-wecom.js'
