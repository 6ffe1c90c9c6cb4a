"""In development mail goes to a page instead of a mail server."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from checkride.accounts.models import DevelopmentMail


class EmailBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            html = ""
            if isinstance(message, EmailMultiAlternatives):
                pairs = [(str(content), kind) for content, kind in message.alternatives]
                html = next((content for content, kind in pairs if kind == "text/html"), "")
            DevelopmentMail.objects.create(
                sender=message.from_email,
                recipients=", ".join(message.recipients()),
                subject=str(message.subject),
                text=str(message.body),
                html=html,
            )
        return len(email_messages)
