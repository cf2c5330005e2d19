import { Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';

/** The topic that alarms notify: the configured one, or one that sends e-mail, or none. */
export function alarmTopic(scope: Construct, { email, topicArn }: StageConfig['alarms']): ITopic | undefined {
  if (topicArn !== undefined) return Topic.fromTopicArn(scope, 'AlarmTopic', topicArn);
  if (email === undefined) return undefined;
  const topic = new Topic(scope, 'AlarmTopic', { displayName: 'Tenantry alarms', enforceSSL: true });
  topic.addSubscription(new EmailSubscription(email));
  const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
  });
  topic.grantPublish(cloudWatch);
  return topic;
}
