import { fitAttachments } from '../conversation/fit-attachments.ts';
import type { PdfTexts } from '../conversation/pdf-texts.ts';
import type { ModelRouter } from '../model/model-router.ts';
import type { RunPlan } from './plan-run.ts';

/** The plan with messages that the model takes. Errors: `attachment_not_supported`. Costs nothing where nothing is attached. */
export function fitPlan(
  { router, pdfTexts }: { readonly router: ModelRouter; readonly pdfTexts: PdfTexts },
  workspace: string,
  model: string | null,
  plan: RunPlan,
): RunPlan | Promise<RunPlan> {
  if (plan.messages.every(({ content }) => typeof content === 'string')) return plan;
  const reader = {
    name: model,
    capabilities: model === null ? null : router.capabilities(workspace, model),
    others: () => router.list(workspace),
  };
  return fitAttachments(plan.messages, reader, pdfTexts).then((messages) => ({ ...plan, messages }));
}
