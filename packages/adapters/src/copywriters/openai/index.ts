export { type OpenaiCopywriterOptions, openaiCopywriter } from './copywriter.js'
