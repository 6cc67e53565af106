"""Prompts from the answers of a language model: what it is told, how its answers are cleaned and checked, what happens to bad ones."""

from __future__ import annotations

from workers.backends.answers.briefing import Message
from workers.backends.answers.cleaning import clean_answer
from workers.backends.answers.faults import AnswerFault
from workers.backends.answers.writing import Ask, ChatAnswer, Conversation, Writing, write_prompts

__all__ = ["AnswerFault", "Ask", "ChatAnswer", "Conversation", "Message", "Writing", "clean_answer", "write_prompts"]
