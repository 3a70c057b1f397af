// Make a microphone out of the sound at /speech, which says it when it is told to.

async function microphone() {
  const bytes = new Int16Array(await (await fetch("/speech")).arrayBuffer());
  const context = new AudioContext({ sampleRate: 24000 });
  const sound = context.createBuffer(1, bytes.length, 24000);
  sound.getChannelData(0).set(Float32Array.from(bytes, (sample) => sample / 32768));
  const microphone = context.createMediaStreamDestination();
  const voice = context.createBufferSource();
  voice.buffer = sound;
  voice.connect(microphone);
  return { stream: microphone.stream, speak: () => voice.start() };
}
