"""Twenty sentences that an answer might be, one of them the answer to the shipped question."""

ANSWER = "Six times seven is forty-two."
CANDIDATES = [
    ANSWER,
    "Six times eight is forty-eight.",
    "Six times seven is forty-three.",
    "Five times seven is thirty-five.",
    "Sixteen plus seven is twenty-three.",
    "Twenty plus thirty is fifty.",
    "Nine times nine is eighty-one.",
    "It is seven minutes past six.",
    "It is six forty-two in the morning.",
    "I have no way to look up the weather.",
    "The weather in Paris is sunny.",
    "I did not understand that.",
    "Please say that again.",
    "All right, I will stop here.",
    "Once upon a time there was a lighthouse.",
    "Today is Friday.",
    "Hello, I am a local stand-in for the real model.",
    "Goodbye, and thank you.",
    "I cannot divide by zero.",
    "What would you like to know?",
]
