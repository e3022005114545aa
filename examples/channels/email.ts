import { emailChannel, escapeHtml, type SmtpOptions } from '@linli/adapters/email'
import { createEngine, type Engine, loadPack, type UnsubscribeTokens } from '@linli/core'

/** An engine that sends e-mail. */
export async function startShop(rules: string, tokens: UnsubscribeTokens, smtp: SmtpOptions): Promise<Engine> {
  const email = emailChannel({
    smtp, // { host: 'smtpdm.aliyun.com', user: 'hello@shop.example.com', password: process.env['SMTP_PASSWORD'] ?? '' }
    from: { name: '邻里生鲜', address: 'hello@shop.example.com' },
    unsubscribe: { tokens, page: 'https://shop.example.com/unsubscribe?t=' },
    html: ({ content }) => `<p>${escapeHtml(content.body).replaceAll('\n', '<br>')}</p>`,
  })
  return createEngine({
    rules: await loadPack(rules),
    channels: [email],
    unsubscribe: tokens,
    database: process.env['DATABASE_URL'] ?? 'memory',
  })
}
