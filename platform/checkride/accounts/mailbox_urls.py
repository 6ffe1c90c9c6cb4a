from django.urls import path

from checkride.accounts import views

app_name = "mailbox"
urlpatterns = [
    path("", views.mailbox, name="list"),
    path("empty/", views.empty_mailbox, name="empty"),
    path("<int:mail_id>/", views.mail, name="mail"),
]
