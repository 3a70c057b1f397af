"""Hold a story that is long enough to be interrupted: about a minute of speech."""

from __future__ import annotations

STORY = (
    "Once upon a time there was a lighthouse at the end of the world.",
    "Its keeper was an old woman who had not spoken to anyone for seven years.",
    "Every evening she climbed two hundred steps, lit the lamp, and looked out over the dark water.",
    "One night in November the lamp went out, and she could not light it again.",
    "Far away she saw the lantern of a ship that was coming straight for the rocks.",
    "So she opened the window and began to sing.",
    "She sang every song that she had learned as a child, and when there were none left she made up new ones.",
    "The captain heard a voice where no voice should be, and he turned the wheel.",
    "The ship went round the rocks so close that its sails touched them.",
    "In the morning the whole crew climbed the two hundred steps to see who had been singing.",
    "They mended the lamp, they drank all of her tea, and they asked her to sing once more.",
    "Since that day every ship that passes the lighthouse sounds its horn, and somebody always sings back.",
)
