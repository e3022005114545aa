import * as z from 'zod'
import { SUBJECT_KINDS } from '../subject.js'

export const idSchema = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,99}$/u, 'An id has letters, digits, "-", "_" and ".", at most 100 of them')
  .describe('Unique among the objects of its kind.')

export const nameSchema = z.string().min(1).max(200).optional().describe('What people call it.')
export const descriptionSchema = z.string().max(2000).optional().describe('What it is for.')
export const subjectSchema = z.enum(SUBJECT_KINDS).optional().describe('What it is about; a user when left out.')
export const durationSchema = z.string().min(1).max(40).describe('A duration such as "30d", "12h" or "PT2H".')

export const localTimeSchema = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'A local time looks like "22:00"')

export const MESSAGE_CLASSES = ['service', 'content', 'promotion'] as const
/** Why messages are sent: policies are written against these classes. */
export type MessageClass = (typeof MESSAGE_CLASSES)[number]

export const classSchema = z.enum(MESSAGE_CLASSES).describe('Why the message is sent: policies look at it.')
export const channelNameSchema = z.string().min(1).max(60)
