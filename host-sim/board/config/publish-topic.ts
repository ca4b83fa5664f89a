/** Of a message that is published (MQTT 3.1.1, section 4.7). */
const TOPIC = /^[^+#\p{Cc}]{1,256}$/u;

/** What is wrong with a topic for recordings; undefined: nothing. */
export const topicProblem = (topic: string): string | undefined =>
  TOPIC.test(topic) ? undefined : "a topic of 1 to 256 characters without + and # is expected";
