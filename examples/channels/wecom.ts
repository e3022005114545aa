import { WecomCorp, wecomAppChannel, wecomGroupSendChannel, wecomTagsChannel } from '@linli/adapters/wecom'
import { createEngine, type Engine, loadPack } from '@linli/core'

/** An engine that reaches leaders, customers and their groups in WeCom. */
export async function startShop(rules: string, baseUrl?: string): Promise<Engine> {
  const corp = new WecomCorp({
    corpId: process.env['WECOM_CORP_ID'] ?? '',
    secret: process.env['WECOM_SECRET'] ?? '',
    ...(baseUrl !== undefined && { baseUrl }),
  })
  return createEngine({
    rules: await loadPack(rules),
    channels: [
      wecomAppChannel({ corp, agentId: Number(process.env['WECOM_AGENT_ID']) }),
      wecomGroupSendChannel({ corp }),
      wecomTagsChannel({ corp }),
    ],
    database: process.env['DATABASE_URL'] ?? 'memory',
  })
}
