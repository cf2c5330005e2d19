import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

/**
 * Uploads a file part by part. If that fails nothing is left; if the process dies, the bucket's lifecycle removes the parts.
 *
 * @param first parts to begin with
 * @param rest parts that follow
 */
export async function uploadInParts(
  client: S3Client,
  file: { readonly Bucket: string; readonly Key: string },
  first: readonly Buffer[],
  rest: AsyncIterable<Buffer>,
): Promise<void> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...file, ChecksumAlgorithm: 'CRC32' }));
  const parts: CompletedPart[] = [];
  const send = async (Body: Buffer): Promise<void> => {
    const PartNumber = parts.length + 1;
    const command = new UploadPartCommand({ ...file, UploadId, PartNumber, Body, ChecksumAlgorithm: 'CRC32' });
    const { ETag, ChecksumCRC32 } = await client.send(command);
    parts.push({ PartNumber, ETag, ChecksumCRC32 });
  };
  try {
    for (const part of first) await send(part);
    for await (const part of rest) await send(part);
    await client.send(new CompleteMultipartUploadCommand({ ...file, UploadId, MultipartUpload: { Parts: parts } }));
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand({ ...file, UploadId })).catch(() => undefined);
    throw error;
  }
}
