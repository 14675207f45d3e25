"""The stream program: topics, steps and their wiring. The only room that knows Faust and Kafka."""
