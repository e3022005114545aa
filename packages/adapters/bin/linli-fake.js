#!/usr/bin/env node
import { main } from '../dist/testing/process.js'

await main(process.argv.slice(2))
